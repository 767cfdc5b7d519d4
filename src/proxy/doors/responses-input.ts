import { isObject, type JsonObject, listOf } from '../request-body/fields.ts';

/** The chat that weighs about as much as a request of the Responses API: what estimates are made of. */
export function chatOfResponses(body: JsonObject): JsonObject {
  const { input, instructions, tools, tool_choice: choice, text } = body;
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : listOf(input);
  const format = isObject(text) ? text['format'] : undefined;
  return {
    messages: [
      ...(typeof instructions === 'string' ? [{ role: 'system', content: instructions }] : []),
      ...items.map(messageOf),
    ],
    ...(Array.isArray(tools) ? { tools } : {}),
    ...(isObject(choice) ? { tool_choice: { function: choice } } : {}),
    ...(isObject(format) ? { response_format: { json_schema: format } } : {}),
  };
}

function messageOf(item: unknown): unknown {
  if (!isObject(item)) return item;
  const { type = 'message', role, content, name, output } = item;
  switch (type) {
    case 'message':
      return { role, content: Array.isArray(content) ? content.map(partOf) : content };
    case 'function_call':
    case 'custom_tool_call':
      return {
        role: 'assistant',
        content: null,
        tool_calls: [{ function: { name, arguments: item['arguments'] ?? item['input'] } }],
      };
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { role: 'tool', content: Array.isArray(output) ? output.map(partOf) : output };
    case 'reasoning':
      // What is encrypted of it says little about what it costs, and most of it is dropped upstream.
      return { role: 'assistant', content: listOf(item['summary']).map(partOf) };
    case 'item_reference':
      return { role: 'user', content: null };
    default:
      return { role: 'tool', content: JSON.stringify(item) };
  }
}

/** A part by the name that chats know it by. */
function partOf(part: unknown): unknown {
  if (!isObject(part)) return part;
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'summary_text':
    case 'reasoning_text':
      return { type: 'text', text: part['text'] };
    case 'input_image':
      return { type: 'image_url', image_url: { url: part['image_url'], detail: part['detail'] } };
    case 'input_file':
      return { type: 'file', file: part };
    default:
      return part;
  }
}
