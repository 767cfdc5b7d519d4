import type { JsonObject } from '../../src/providers/wire.ts';

/** Something that clients may put into a request, by the name that docs/providers.md gives it. */
export interface RequestField {
  readonly name: string;
  readonly operation: 'chat' | 'messages';
  readonly body: JsonObject;
  /** The same request without it. */
  readonly without: JsonObject;
}

type Example = Pick<RequestField, 'body' | 'without'>;

const HELLO = { role: 'user', content: 'Hello' };
const PLAIN = { messages: [HELLO] };

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const WEATHER = { name: 'weather', description: 'The weather of a city', parameters: SCHEMA };
const TOOLS = { ...PLAIN, tools: [{ type: 'function', function: WEATHER }] };
const FUNCTIONS = { ...PLAIN, functions: [WEATHER] };

const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
const CALLED = { ...TOOLS, messages: [HELLO, { role: 'assistant', content: null, tool_calls: [CALL] }] };
const ANSWERED = { role: 'assistant', content: 'Good day.' };

function top(fields: JsonObject, without: JsonObject = PLAIN): Example {
  return { body: { ...without, ...fields }, without };
}

function said(...messages: readonly JsonObject[]): Example {
  return { body: { messages }, without: PLAIN };
}

function part(type: string, content: JsonObject): Example {
  return said({
    ...HELLO,
    content: [
      { type: 'text', text: 'Hello' },
      { type, ...content },
    ],
  });
}

const IN_CHAT_MESSAGES: Readonly<Record<string, Example>> = {
  '`system`, `developer`': said({ role: 'developer', content: 'Be brief.' }, HELLO),
  'image as `data:` URL': part('image_url', { image_url: { url: PIXEL } }),
  'image by address': part('image_url', { image_url: { url: 'https://example.com/a.png' } }),
  '`input_audio`': part('input_audio', { input_audio: { data: 'UklGRg==', format: 'wav' } }),
  'file with `file_data`': part('file', {
    file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
  }),
  'file with `file_id`': part('file', { file: { file_id: 'file-1' } }),
  '`tool_calls`': { body: CALLED, without: TOOLS },
  'role `tool`': {
    body: { ...CALLED, messages: [...CALLED.messages, { role: 'tool', tool_call_id: 'call_1', content: 'Rain' }] },
    without: CALLED,
  },
  '`reasoning_content`': {
    body: { messages: [HELLO, { ...ANSWERED, reasoning_content: 'They greet me.' }, HELLO] },
    without: { messages: [HELLO, ANSWERED, HELLO] },
  },
};

const OF_CHATS: Readonly<Record<string, Example>> = {
  '`max_completion_tokens`': top({ max_completion_tokens: 50 }),
  '`max_tokens`': top({ max_tokens: 50 }),
  '`n` above 1': top({ n: 2 }),
  '`stop`': top({ stop: ['END'] }),
  '`temperature`': top({ temperature: 0.5 }),
  '`top_p`': top({ top_p: 0.9 }),
  '`seed`': top({ seed: 7 }),
  '`presence_penalty`': top({ presence_penalty: 0.5 }),
  '`frequency_penalty`': top({ frequency_penalty: 0.5 }),
  '`logit_bias`': top({ logit_bias: { 50256: -100 } }),
  '`logprobs`': top({ logprobs: true }),
  '`top_logprobs`': top({ top_logprobs: 2 }, { ...PLAIN, logprobs: true }),
  '`response_format` `json_object`': top({ response_format: { type: 'json_object' } }),
  '`response_format` `json_schema`': top({
    response_format: { type: 'json_schema', json_schema: { name: 'place', schema: SCHEMA, strict: true } },
  }),
  '`tools` of type `function`': top({ tools: TOOLS.tools }),
  '`tools` of type `custom`': top({ tools: [...TOOLS.tools, { type: 'custom', custom: { name: 'shell' } }] }, TOOLS),
  '`tool_choice`': top({ tool_choice: 'required' }, TOOLS),
  '`tool_choice` `allowed_tools`': top(
    {
      tools: [...TOOLS.tools, { type: 'function', function: { ...WEATHER, name: 'other' } }],
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: TOOLS.tools } },
    },
    TOOLS,
  ),
  '`parallel_tool_calls`': top({ parallel_tool_calls: false }, TOOLS),
  '`functions`': top({ functions: FUNCTIONS.functions }),
  '`function_call`': top({ function_call: { name: 'weather' } }, FUNCTIONS),
  '`reasoning_effort`': top({ reasoning_effort: 'high' }),
  '`verbosity`': top({ verbosity: 'low' }),
  '`service_tier`': top({ service_tier: 'priority' }),
  '`prediction`': top({ prediction: { type: 'content', content: 'Hello' } }),
  '`modalities`, `audio`': top({ modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } }),
  '`web_search_options`': top({ web_search_options: {} }),
  '`prompt_cache_key`': top({ prompt_cache_key: 'a' }),
  '`user`': top({ user: 'u1' }),
  '`safety_identifier`': top({ safety_identifier: 'u1' }),
  '`store`': top({ store: true }),
  '`metadata`': top({ metadata: { a: 'b' } }),
};

export const CHAT_FIELDS = fieldsOf('chat', { ...IN_CHAT_MESSAGES, ...OF_CHATS });

const CAPPED = { ...PLAIN, max_tokens: 1_000 };
const WITH_TOOL = { ...CAPPED, tools: [{ name: 'weather', input_schema: SCHEMA }] };
const USE = { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }] };
const USED = { ...WITH_TOOL, messages: [HELLO, USE, result({})] };

function result(more: JsonObject): JsonObject {
  return { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'Rain', ...more }] };
}

function block(type: string, content: JsonObject): Example {
  const blocks = [
    { type: 'text', text: 'Hello' },
    { type, ...content },
  ];
  return { body: { ...CAPPED, messages: [{ role: 'user', content: blocks }] }, without: CAPPED };
}

function tool(more: JsonObject): Example {
  return top({ tools: [...WITH_TOOL.tools, more] }, WITH_TOOL);
}

const OF_MESSAGES: Readonly<Record<string, Example>> = {
  '`system`': top({ system: 'Be brief.' }, CAPPED),
  '`image`': block('image', { source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } }),
  '`document` of text': block('document', { source: { type: 'text', media_type: 'text/plain', data: 'Hello' } }),
  '`document` of a PDF': block('document', {
    source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
  }),
  '`search_result`': block('search_result', { source: 'a', title: 'b', content: [{ type: 'text', text: 'c' }] }),
  'source of type `file`': block('document', { source: { type: 'file', file_id: 'file_1' } }),
  '`tool_use`, `tool_result`': { body: USED, without: WITH_TOOL },
  '`is_error`': { body: { ...USED, messages: [HELLO, USE, result({ is_error: true })] }, without: USED },
  '`cache_control`': {
    body: { ...CAPPED, system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }] },
    without: { ...CAPPED, system: [{ type: 'text', text: 'Be brief.' }] },
  },
  '`tools` with an `input_schema`': top({ tools: WITH_TOOL.tools }, CAPPED),
  '`tools` of the server, such as `web_search`': tool({ type: 'web_search_20250305', name: 'web_search' }),
  '`tool_choice`': top({ tool_choice: { type: 'any' } }, WITH_TOOL),
  '`disable_parallel_tool_use`': {
    body: { ...WITH_TOOL, tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    without: { ...WITH_TOOL, tool_choice: { type: 'auto' } },
  },
  '`max_tokens`': top({ max_tokens: 2_000 }, CAPPED),
  '`stop_sequences`': top({ stop_sequences: ['END'] }, CAPPED),
  '`temperature`': top({ temperature: 0.5 }, CAPPED),
  '`top_p`': top({ top_p: 0.9 }, CAPPED),
  '`top_k`': top({ top_k: 5 }, CAPPED),
  '`thinking`': top({ thinking: { type: 'enabled', budget_tokens: 1_024 } }, CAPPED),
  '`output_config.effort`': top({ output_config: { effort: 'high' } }, CAPPED),
  '`output_config.format`': top({ output_config: { format: { type: 'json_schema', schema: SCHEMA } } }, CAPPED),
  '`metadata.user_id`': top({ metadata: { user_id: 'u1' } }, CAPPED),
  '`service_tier`': top({ service_tier: 'standard_only' }, CAPPED),
  '`mcp_servers`': top({ mcp_servers: [{ type: 'url', url: 'https://mcp.example.com', name: 'a' }] }, CAPPED),
  '`container`': top({ container: 'container_1' }, CAPPED),
  '`context_management`': top({ context_management: { edits: [] } }, CAPPED),
};

export const MESSAGE_FIELDS = fieldsOf('messages', OF_MESSAGES);

function fieldsOf(operation: RequestField['operation'], examples: Readonly<Record<string, Example>>): RequestField[] {
  return Object.entries(examples).map(([name, example]) => ({ name, operation, ...example }));
}
