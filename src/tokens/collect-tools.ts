import { isObject, type JsonObject, textOr } from './json-object.ts';
import type { Tally } from './tally.ts';

/** OpenAI's published figures for function definitions; what a definition itself costs differs by family. */
const ALL_FUNCTIONS_TOKENS = 12;
const PROPERTIES_TOKENS = 3;
const PROPERTY_TOKENS = 3;
const ENUM_TOKENS = -3;
const ENUM_ITEM_TOKENS = 3;
/** Naming the tool that must be called. */
const CHOICE_TOKENS = 4;

/** Members of a property that the published formula covers; with any other the whole property counts as JSON. */
const FLAT_MEMBERS = new Set(['type', 'description', 'enum']);

/** The fields of a request that describe what the model may or must produce. */
export function collectDefinitions(tally: Tally, request: JsonObject, functionTokens: number): void {
  const { tools, functions, response_format: format, tool_choice: choice } = request;
  const lists = [tools, functions].filter((list) => list !== undefined && list !== null);
  if (lists.length > 0) tally.fixedTokens += ALL_FUNCTIONS_TOKENS;
  for (const list of lists) {
    if (!Array.isArray(list)) tally.json(list);
    else tally.each(list, (tool: unknown) => collectTool(tally, tool, functionTokens));
  }
  if (isObject(choice)) {
    tally.fixedTokens += CHOICE_TOKENS;
    tally.json(choice['function'] ?? choice['custom'] ?? choice['allowed_tools']);
  }
  if (isObject(format)) tally.json(format['json_schema']);
}

/** `{ type, function }` of `tools`, or the bare function of the older `functions`; tools of other kinds as JSON. */
function collectTool(tally: Tally, tool: unknown, functionTokens: number): void {
  tally.fixedTokens += functionTokens;
  const body = isObject(tool) ? (tool['function'] ?? tool['custom'] ?? tool) : tool;
  if (!isObject(body) || typeof body['name'] !== 'string') {
    tally.json(body);
    return;
  }
  tally.text(`${body['name']}:${sentence(body['description'])}`);
  if (body['format'] !== undefined) tally.json(body['format']);
  collectParameters(tally, body['parameters']);
}

function collectParameters(tally: Tally, parameters: unknown): void {
  const properties = isObject(parameters) ? parameters['properties'] : undefined;
  if (!isObject(properties)) {
    tally.json(parameters);
    return;
  }
  const names = Object.keys(properties);
  if (names.length > 0) tally.fixedTokens += PROPERTIES_TOKENS;
  tally.each(names, (name) => {
    const property = properties[name];
    tally.fixedTokens += PROPERTY_TOKENS;
    if (isFlat(property)) collectFlatProperty(tally, name, property);
    else {
      tally.text(name);
      tally.json(property);
    }
  });
}

function isFlat(property: unknown): property is JsonObject {
  return isObject(property) && Object.keys(property).every((name) => FLAT_MEMBERS.has(name));
}

function collectFlatProperty(tally: Tally, name: string, property: JsonObject): void {
  tally.text(`${name}:${textOr(property['type'], '')}:${sentence(property['description'])}`);
  const items = property['enum'];
  if (!Array.isArray(items)) return;
  tally.fixedTokens += ENUM_TOKENS;
  tally.each(items, (item: unknown) => {
    tally.fixedTokens += ENUM_ITEM_TOKENS;
    tally.json(item);
  });
}

/** Descriptions reach the model without their last full stop. */
function sentence(description: unknown): string {
  return textOr(description, '').replace(/\.$/, '');
}
