/** How vendors say that a prompt is longer than the model's context. */
const OVERFLOW = new RegExp(
  [
    'context_length_exceeded',
    'exceed_context_size_error',
    'maximum context length',
    'exceeds the context window',
    'prompt is too long',
    'input token count.*exceeds',
    'exceeds the available context size',
    'maximum prompt length is',
    'input is too long for requested model',
    'reduce the length of the messages',
    'too many tokens',
    'model_context_window_exceeded',
  ].join('|'),
  'i',
);

/** Whether an error's words mean the context. A refusal by a token limit ("Request too large ... TPM") does not. */
export function isContextOverflow(words: string): boolean {
  return OVERFLOW.test(words) && !/request too large for/i.test(words);
}
