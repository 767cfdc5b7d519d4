import type { Chat, ToolDefinition } from '../mapping/chat-request.ts';
import { isObject } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';
import type { ModelFacts } from './models.ts';
import { jsonSchema, openApiSchema } from './schema.ts';

export interface ToolFields {
  readonly tools?: readonly JsonObject[];
  readonly toolConfig?: JsonObject;
}

/** The tools of a chat, and which of them the model has to use. */
export function toolFields({ tools, toolChoice }: Chat, facts: ModelFacts): ToolFields {
  if (tools.length === 0) return {};
  const config = callingConfig(tools, toolChoice);
  return {
    tools: [{ functionDeclarations: tools.map((tool) => declarationOf(tool, facts)) }],
    ...(config === null ? {} : { toolConfig: { functionCallingConfig: config } }),
  };
}

function declarationOf({ name, description, parameters }: ToolDefinition, facts: ModelFacts): JsonObject {
  return { name, ...(description === null ? {} : { description }), ...parametersOf(parameters, facts) };
}

/** An object without properties is refused, so a tool that takes nothing has no parameters at all. */
function parametersOf(parameters: JsonObject | null, { takesJsonSchema }: ModelFacts): JsonObject {
  if (parameters === null || takesNothing(parameters)) return {};
  if (takesJsonSchema) return { parametersJsonSchema: jsonSchema(parameters) };
  return { parameters: openApiSchema(parameters) };
}

function takesNothing({ type, properties, ...rest }: JsonObject): boolean {
  const isEmpty = !isObject(properties) || Object.keys(properties).length === 0;
  const isOpen = ['$ref', 'anyOf', 'oneOf', 'allOf', 'items'].some((word) => rest[word] !== undefined);
  return isEmpty && !isOpen && (type === undefined || type === 'object') && !isObject(rest['additionalProperties']);
}

/** Null: as the model sees fit, which is the vendor's default too. Strict tools are held to their schemas. */
function callingConfig(tools: Chat['tools'], choice: Chat['toolChoice']): JsonObject | null {
  switch (choice?.kind) {
    case 'none':
      return { mode: 'NONE' };
    case 'required':
      return { mode: 'ANY' };
    case 'named':
      return { mode: 'ANY', allowedFunctionNames: [choice.name] };
    default:
      if (tools.some(({ isStrict }) => isStrict)) return { mode: 'VALIDATED' };
      return choice === null ? null : { mode: 'AUTO' };
  }
}
