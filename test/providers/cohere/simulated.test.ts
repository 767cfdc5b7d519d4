import { describeSimulated } from '../contract-simulated.ts';

const COHERE = { vendor: 'cohere', type: 'cohere', basePath: '', refused: ['pdf', 'audio'] } as const;

// One that thinks unless it is told not to, and one that can't.
describeSimulated({ ...COHERE, model: 'command-a-reasoning-08-2025' });
describeSimulated({ ...COHERE, model: 'command-r7b-12-2024' });
