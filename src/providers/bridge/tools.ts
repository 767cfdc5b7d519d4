import { flagAt, isObject, listAt, objectAt, textAt } from '../mapping/json.ts';
import type { JsonObject, Unsupported } from '../wire.ts';

/** Tools, and which of them the model has to use. */
export function chatTools(body: JsonObject): JsonObject {
  const tools = listAt(body, 'tools').filter(isObject).map(toolOf);
  if (tools.length === 0) return {};
  const choice = objectAt(body, 'tool_choice');
  const isOneAtATime = flagAt(choice, 'disable_parallel_tool_use') === true;
  return {
    tools,
    tool_choice: choiceOf(choice),
    ...(isOneAtATime ? { parallel_tool_calls: false } : {}),
  };
}

/** Tools that Anthropic runs itself, or knows the parameters of: no other model has ever heard of them. */
export function refusesTools(body: JsonObject): Unsupported | null {
  const index = listAt(body, 'tools').findIndex((tool) => (textAt(tool, 'type') ?? 'custom') !== 'custom');
  if (index < 0) return null;
  return { param: `tools[${index}]`, message: 'it knows only tools with an `input_schema` of your own.' };
}

function toolOf(tool: JsonObject): JsonObject {
  const { name, description, input_schema: parameters } = tool;
  const isStrict = flagAt(tool, 'strict') === true;
  return {
    type: 'function',
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(isStrict ? { strict: true } : {}),
    },
  };
}

function choiceOf(choice: JsonObject | null): unknown {
  switch (textAt(choice, 'type')) {
    case 'any':
      return 'required';
    case 'tool':
      return { type: 'function', function: { name: textAt(choice, 'name') ?? '' } };
    case 'none':
      return 'none';
    case 'auto':
      return 'auto';
    default:
      return null;
  }
}
