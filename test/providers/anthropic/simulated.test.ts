import { describeFaults, describeSimulated } from '../contract-simulated.ts';

const ANTHROPIC = { vendor: 'anthropic', type: 'anthropic', basePath: '', refused: ['audio', 'logprobs'] } as const;

// One with a schema for its answer and a budget for its thoughts, one without either, one of the newest.
describeSimulated({ ...ANTHROPIC, model: 'claude-sonnet-4-5' });
describeSimulated({ ...ANTHROPIC, model: 'claude-3-5-sonnet-latest' });
describeSimulated({ ...ANTHROPIC, model: 'claude-opus-4-8' });

describeFaults({ ...ANTHROPIC, model: 'claude-sonnet-4-5' });
