/** The simulated vendor in a process of its own; its options come as JSON in the first argument. */
import { systemClock } from '../src/clock.ts';
import type { SimulatorOptions } from '../src/simulator/options.ts';
import { createSimulator } from '../src/simulator/simulator.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as SimulatorOptions;
const { url } = await createSimulator(options, systemClock, Math.random).listen();
process.on('disconnect', () => process.exit());
process.send?.({ url });
