import { ProxyError } from '../errors.ts';
import type { Lease } from '../scheduler/lease.ts';
import type { RouteOption } from '../scheduler/model-routes.ts';
import type { Rejection } from '../scheduler/rejection.ts';
import type { Route } from '../scheduler/route.ts';
import type { AttemptFailure, FailedEnd } from './attempt-end.ts';
import { type Again, decideRetry, finalError, type RetrySituation } from './decide-retry.ts';
import { rejectionError } from './rejection-error.ts';
import type { RequestServices } from './request-services.ts';
import { upstreamErrorBody } from './scrub.ts';
import type { ServedModel } from './served-model.ts';

/** How a request goes back into the queue: where it must not be sent again, and the pause before it may start. */
export interface Repeat {
  readonly kind: 'again';
  readonly exclude: readonly Route[];
  readonly notBeforeMs: number;
}

/** What follows a failed attempt. */
export type NextStep = Repeat | { readonly kind: 'stop'; readonly error: ProxyError };

const SOON_MS = 5_000;

interface Failed {
  readonly failure: AttemptFailure;
  readonly situation: RetrySituation;
}

/** The failed attempts of one request at one model, and what they leave to try. */
export class Retries {
  readonly #model: () => ServedModel;
  readonly #services: Pick<RequestServices, 'clock' | 'settings' | 'retryBudget' | 'scrub'>;
  readonly #excluded = new Set<Route>();
  #attempts = 0;
  #last: Failed | null = null;

  readonly #isRepeat: () => boolean;

  /** @param model as the configuration is by now; @param isRepeat whether the client has sent the request before, in vain */
  constructor(
    model: () => ServedModel,
    isRepeat: () => boolean,
    services: Pick<RequestServices, 'clock' | 'settings' | 'retryBudget' | 'scrub'>,
  ) {
    this.#model = model;
    this.#isRepeat = isRepeat;
    this.#services = services;
  }

  /** Another attempt at the same time has failed too. */
  hedged(): void {
    this.#attempts += 1;
  }

  /** After an attempt whose lease has ended, so that the route's state knows of it already. */
  after(end: FailedEnd, lease: Lease): NextStep {
    this.#attempts += 1;
    const { failure } = end;
    const situation = this.#situation(end, lease);
    if (situation.hasBegun) return { kind: 'stop', error: brokenOff(failure, situation) };
    this.#last = { failure, situation };
    const decision = decideRetry(failure, situation);
    return decision.kind === 'stop' ? decision : this.#again(decision, lease);
  }

  /** The queue has given the request up: its last failure says more than that, unless waiting was all there was to do. */
  refused(rejection: Rejection): ProxyError {
    if (this.#last === null || rejection.kind === 'shutting_down')
      return rejectionError(rejection, this.#services.clock);
    const { failure, situation } = this.#last;
    if (isAboutKeys(failure, rejection)) return rejectionError(rejection, this.#services.clock);
    return finalError(failure, situation);
  }

  #again({ exclude, notBeforeMs, isCounted }: Again, { route }: Lease): NextStep {
    const { retryBudget, clock } = this.#services;
    if (isCounted) retryBudget.retried(clock.now());
    const excluded = exclude === 'nothing' ? [] : exclude === 'route' ? [route] : this.#routesLike(route);
    for (const each of excluded) this.#excluded.add(each);
    return { kind: 'again', exclude: excluded, notBeforeMs };
  }

  #situation({ kind, failure: { outcome, answer } }: FailedEnd, lease: Lease): RetrySituation {
    const { clock, settings, retryBudget, scrub } = this.#services;
    const until = this.#horizon(outcome.kind, lease);
    const others = this.#model()
      .routes.options.filter((option) => this.#isLeft(option, lease, until))
      .map(({ route }) => route);
    const provider = this.#model().targets[lease.option.target]?.provider;
    return {
      attempts: this.#attempts,
      maxAttempts: settings.attempts,
      hasBegun: kind === 'broken',
      hasOtherRoute: others.length > 0,
      hasOtherTarget: others.some(({ upstream }) => upstream !== lease.route.upstream),
      hasBudget: retryBudget.hasRoom(clock.now()),
      isRepeat: this.#isRepeat(),
      explain: () => upstreamErrorBody(provider?.readError(answer?.json) ?? null, scrub),
    };
  }

  /** It can serve the request, has not been excluded, and will be in service by then. */
  #isLeft(option: RouteOption, { route, ticket }: Lease, until: number): boolean {
    const other = option.route;
    if (other === route || this.#excluded.has(other) || ticket.costOn(option) === null) return false;
    return other.availableAt(this.#services.clock.now()) <= until;
  }

  /**
   * By when another route must be in service to count. Where the failed one is of no more use, any time before the deadline
   * is soon enough; where it may recover, waiting much longer for another one than for itself makes no sense.
   */
  #horizon(kind: AttemptFailure['outcome']['kind'], { route, ticket }: Lease): number {
    if (kind !== 'failed' && kind !== 'capacity' && kind !== 'ramp') return ticket.deadline;
    const now = this.#services.clock.now();
    return Math.min(ticket.deadline, Math.max(now + SOON_MS, route.availableAt(now)));
  }

  #routesLike({ upstream }: Route): readonly Route[] {
    return this.#model()
      .routes.options.map(({ route }) => route)
      .filter((route) => route.upstream === upstream);
  }
}

/** Waiting for limits, or for keys that are all closed now, is what the rejection itself tells better. */
function isAboutKeys({ outcome }: AttemptFailure, rejection: Rejection): boolean {
  switch (outcome.kind) {
    case 'failed':
    case 'client':
    case 'context':
      return false;
    case 'disabled':
      return true;
    case 'wait':
    case 'exhausted':
    case 'never_fits':
    case 'capacity':
    case 'ramp':
      return rejection.kind !== 'no_usable_route';
  }
}

/** The client has a part of the answer, so it is not told that there was none. */
function brokenOff(failure: AttemptFailure, situation: RetrySituation): ProxyError {
  const error = finalError(failure, situation);
  if (error.details.verdict || failure.transport === 'aborted') return error;
  const words = failure.answer === null ? '.' : `: ${situation.explain().error.message}`;
  return new ProxyError(error.code, `The answer broke off: ${failure.reason}${words}`);
}
