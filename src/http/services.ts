import type { Clock } from '../clock.ts';
import type { ServerEvents } from '../proxy/events.ts';
import type { Client, ClientReply, ClientRequest } from '../proxy/exchange.ts';
import type { ModelEntry } from '../proxy/model-catalog.ts';
import type { RawHandler } from '../proxy/raw/raw-request.ts';
import type { CompressionMode } from './compression.ts';

/** How the server listens and what it lets in. */
export interface ServerSettings {
  /** Sizes in bytes: of one body, and of all bodies that are held at once. */
  readonly bodyLimitBytes: number;
  readonly bodyMemoryBytes: number;
  /** Connections beyond it are closed unheard. */
  readonly maxConnections: number;
  readonly timeouts: ServerTimeouts;
  /** `json`: whole answers of 1 KiB to 1 MiB. `all`: streams too, flushed per write. */
  readonly compression: CompressionMode;
  /** Origins of web pages that may call, such as `https://app.example.com`; `*` is every one. */
  readonly corsOrigins: readonly string[];
  /** Whether `x-sluice-*` headers are shown. */
  readonly hasDebugHeaders: boolean;
  /** Which Host is served where clients need no key. `any` only where somebody opened the server on purpose. */
  readonly openTo: 'loopback' | 'any';
}

/** Milliseconds. None of them touches a request that waits, or a stream that flows. */
interface ServerTimeouts {
  /** Until the head of a request is complete. */
  readonly headersMs: number;
  /** Until the last byte of its body. */
  readonly requestMs: number;
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number;
  /** A client that accepts no byte for so long is gone. */
  readonly writeStallMs: number;
}

/** A provider as far as paths name it. */
interface ProviderPaths {
  readonly name: string;
  /** Paths that Sluice does not know are passed on. */
  readonly isRaw: boolean;
}

/** What the routes need of the rest of the program. */
export interface Services {
  readonly clock: Clock;
  readonly events: ServerEvents;
  readonly version: string;
  /** Clients by the SHA-256 of their key, in lower-case hex; null: nobody has to say who they are. Asked for each request. */
  readonly clients: ReadonlyMap<string, Client> | null;
  /** Those whose names begin paths. */
  readonly providers: readonly ProviderPaths[];
  /** For request ids: unguessable, of `[A-Za-z0-9]`. */
  randomId(): string;
  /**
   * Answers one request to a model through `reply`, which ends it.
   * @throws ProxyError before the head of the answer is decided; never after it.
   */
  serve(request: ClientRequest, reply: ClientReply): Promise<void>;
  /** The same for a path that Sluice knows nothing of. */
  serveRaw: RawHandler;
  /** A model to ask, for the command that the front page shows. */
  exampleModel(): string;
  /** The models that this client may use. */
  listModels(client: Client): readonly ModelEntry[];
  /** @throws ProxyError `model_not_found`, also for what this client may not use */
  findModel(client: Client, id: string): ModelEntry;
  /** What `GET /queue` shows to this client, ready for JSON. */
  queueView(client: Client): unknown;
  /** What `GET /health` shows beside version and uptime; no secret, anybody may read it. */
  health(): Readonly<Record<string, unknown>>;
}
