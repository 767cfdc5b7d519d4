import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/sdk/**'],
    setupFiles: ['test/support/setup.ts'],
    // Many tests wait for real sockets: two at once take half the time, also where there are two cores.
    maxWorkers: 2,
    testTimeout: 30_000,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      // main.ts and the worker entry run in processes and threads of their own, where coverage is not collected.
      exclude: ['src/main.ts', 'src/workers/tokenize-worker.ts'],
      reporter: ['text-summary', 'json-summary'],
      thresholds: {
        'src/scheduler/**': { branches: 100 },
        'src/tokens/**': { branches: 100 },
        'src/streaming/**': { branches: 100 },
        branches: 90,
      },
    },
  },
});
