import type { Chat, ToolDefinition } from '../mapping/chat-request.ts';
import { listAt } from '../mapping/json.ts';
import type { JsonObject } from '../wire.ts';

/** The tools of a chat, and whether one has to be used. A tool that is named is the only one that is offered. */
export function toolFields(chat: Chat): JsonObject {
  const { toolChoice } = chat;
  const offered = offeredTools(chat);
  if (offered.length === 0) return {};
  const choice = toolChoice === null ? undefined : CHOICES[toolChoice.kind];
  return {
    tools: offered.map(toolOf),
    ...(choice === undefined ? {} : { tool_choice: choice }),
    ...(isStrict(offered) ? { strict_tools: true } : {}),
  };
}

/** Whether strictness was asked for and can't be had. */
export function losesStrictness(chat: Chat): boolean {
  const offered = offeredTools(chat);
  return offered.some((tool) => tool.isStrict) && !isStrict(offered);
}

function offeredTools({ tools, toolChoice }: Chat): readonly ToolDefinition[] {
  return toolChoice?.kind === 'named' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
}

/** The default has no word. */
const CHOICES = { auto: undefined, none: 'NONE', required: 'REQUIRED', named: 'REQUIRED' } as const;

function toolOf({ name, description, parameters }: ToolDefinition): JsonObject {
  return {
    type: 'function',
    function: {
      name,
      ...(description === null ? {} : { description }),
      parameters: parameters ?? { type: 'object', properties: {} },
    },
  };
}

/** Strictness holds for all tools or none, and each of them then has to have a parameter that is required. */
function isStrict(tools: readonly ToolDefinition[]): boolean {
  return tools.every((tool) => tool.isStrict && listAt(tool.parameters, 'required').length > 0);
}
