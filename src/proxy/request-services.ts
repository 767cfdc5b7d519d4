import type { Clock } from '../clock.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { Scrub } from '../scrub.ts';
import type { Calibration } from '../tokens/calibrate.ts';
import type { OutputPredictor } from '../tokens/predict-output.ts';
import type { TokenCounter } from '../tokens/token-counter.ts';
import type { Transport } from '../upstream/transport.ts';
import type { Affinity } from './affinity/affinity.ts';
import type { ClientBudget } from './budgets/client-budget.ts';
import type { SilenceTerms } from './client-answer.ts';
import type { RequestSummary } from './events.ts';
import type { Client } from './exchange.ts';
import type { Hedging } from './hedging/hedging.ts';
import type { ImageSource } from './images/inline-images.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { ClientTerms, ModelLookup, ServedModel } from './served-model.ts';
import type { StoredThings } from './stored/stored-things.ts';

/** What the use case needs of the rest of the program. */
export interface RequestServices {
  readonly clock: Clock;
  readonly scheduler: Pick<Scheduler, 'submit' | 'cancel' | 'again' | 'resume'>;
  readonly transport: Pick<Transport, 'send'>;
  readonly models: ModelLookup;
  readonly tokens: Pick<TokenCounter, 'estimate'>;
  readonly calibration: Pick<Calibration, 'correction' | 'observe'>;
  readonly outputs: Pick<OutputPredictor, 'predict' | 'observe'>;
  readonly retryBudget: Pick<RetryBudget, 'requested' | 'hasRoom' | 'retried' | 'repeated' | 'failed' | 'hasFailed'>;
  readonly images: ImageSource;
  /** Null: nothing is sent a second time for being slow. */
  readonly hedging: Pick<Hedging, 'begun' | 'seen' | 'take'> | null;
  /** Where conversations were served. */
  readonly affinity: Pick<Affinity, 'follow'>;
  readonly stored: Pick<StoredThings, 'keep' | 'routesTo' | 'providerOf'>;
  /** Clients need no key, so nothing is anybody's own. */
  readonly isShared: boolean;
  /** Goes over every word of an upstream that a client may see. */
  readonly scrub: Scrub;
  readonly settings: RequestSettings;
  termsOf(client: Client): ClientTerms;
  /** Null: the client may spend what it likes. */
  budgetOf(client: Client): ClientBudget | null;
  /** OpenAI's six `x-ratelimit-*`, computed from the quotas that the model draws on. */
  rateHeaders(model: ServedModel): Readonly<Record<string, string>>;
  /** Once for each request, however it ended. */
  onSummary(summary: RequestSummary): void;
}

export interface RequestSettings extends SilenceTerms {
  /** Sends in all for one request. */
  readonly attempts: number;
  /** Whether `x-sluice-*` are shown. */
  readonly hasDebugHeaders: boolean;
  /** It is a part of another request, which tells the client what becomes of it: no place is kept. */
  readonly isPart?: boolean;
  /** For the upstream: `sluice/1.2.3`. */
  readonly userAgent: string;
}
