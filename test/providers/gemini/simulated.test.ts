import { describeFaults, describeSimulated } from '../contract-simulated.ts';

const GEMINI = { vendor: 'gemini', type: 'gemini', basePath: '/v1beta', refused: ['imageByUrl'] } as const;

// One that thinks by level and signs its thoughts, one that is given a number of them, one with schemas of OpenAPI.
describeSimulated({ ...GEMINI, model: 'gemini-3-flash-preview' });
describeSimulated({ ...GEMINI, model: 'gemini-2.5-pro' });
describeSimulated({ ...GEMINI, model: 'gemini-2.0-flash' });

describeFaults({ ...GEMINI, model: 'gemini-3-flash-preview' });
