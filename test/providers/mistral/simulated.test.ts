import { describeSimulated } from '../contract-simulated.ts';

const MISTRAL = {
  vendor: 'mistral',
  type: 'mistral',
  basePath: '/v1',
  refused: ['pdf', 'audio', 'logprobs'],
} as const;

// One that thinks when told to, one that always does, one of the first.
describeSimulated({ ...MISTRAL, model: 'mistral-small-latest' });
describeSimulated({ ...MISTRAL, model: 'magistral-medium-latest' });
describeSimulated({ ...MISTRAL, model: 'mistral-large-2407' });
