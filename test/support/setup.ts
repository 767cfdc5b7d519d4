import fc from 'fast-check';

/** Properties draw the same cases in every run, so a failure is one that everybody sees; `FC_SEED` tries others. */
fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20_260_101) });
