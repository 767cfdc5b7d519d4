import type { Client } from '../proxy/exchange.ts';
import type { ByteBudget, Reservation } from './byte-budget.ts';
import type { Connections } from './connections.ts';
import type { ErrorForm } from './error-form.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ServerSettings, Services } from './services.ts';

/** What everything in this folder shares; one a server. */
export interface Context {
  readonly settings: ServerSettings;
  readonly services: Services;
  readonly lifecycle: Lifecycle;
  readonly connections: Connections;
  readonly budget: ByteBudget;
  /** `clock.now()` when the server was made. */
  readonly startedAt: number;
}

/** What becomes known of a request on its way in. */
interface Arrival {
  /** `clock.now()` when its head had arrived. */
  readonly receivedAt: number;
  client: Client | null;
  /** Its share of the byte budget; null when its route takes no body. */
  reservation: Reservation | null;
  /** The use case has it, and reports it: the log must not hear of it twice. */
  isHandedOver: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any other hook runs; null only where Fastify answers without hooks. */
    arrival: Arrival | null;
  }
  interface FastifyContextConfig {
    /** Answers without a key and from any Host: nothing of it is secret. */
    isPublic?: boolean;
    /** Whose form its errors have; OpenAI's by default. */
    errorForm?: ErrorForm;
    /** Takes a body: JSON, or of any kind. */
    hasBody?: 'json' | 'any';
  }
}
