/**
 * Sluice in a process of its own; its configuration comes as JSON in the first argument. What the scheduler foretold and
 * did is read at its one entrance, since no header tells it; nothing in Sluice knows that it is watched.
 */
import { createApp } from '../src/app.ts';
import { systemClock } from '../src/clock.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { TicketNotes } from './support/saturation/ticket-notes.ts';

const loaded = loadConfig({ text: process.argv[2] ?? '', format: 'json', env: {}, readFile: () => '' });
if (!loaded.ok) throw new Error(loaded.mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
const notes = new TicketNotes(systemClock);
notes.watch();
const app = await createApp(loaded.config, {
  clock: systemClock,
  logStream: process.stderr,
  version: 'bench',
  env: {},
});
process.on('disconnect', () => process.exit());
process.on('message', (message) => {
  if (message === 'notes') process.send?.({ notes: notes.take(), openLeases: app.openLeases });
});
process.send?.({ url: (await app.listen()).url });
