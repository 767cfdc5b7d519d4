import { type Charge, chargeOf } from '../charge.ts';
import { ProxyError } from '../errors.ts';
import { FREE, nanoUsdFor, type Price } from '../money.ts';
import type { Provider } from '../providers/provider.ts';
import type { JsonObject } from '../providers/wire.ts';
import type { Cost } from '../scheduler/cost.ts';
import type { Correction } from '../tokens/calibrate.ts';
import type { TokenEstimate } from '../tokens/estimate.ts';
import { type Asked, ableTargets } from './able-targets.ts';
import type { Door } from './doors/door.ts';
import type { RequestBody, RequestFacts } from './request-body.ts';
import type { RequestServices } from './request-services.ts';
import type { ServedModel, ServedTarget } from './served-model.ts';
import { editedBody, editedNames } from './target-edits.ts';

/** How large a request is for one target, in LLM tokens, and what it costs there. */
export interface TargetSize {
  /** As counted here: what a correction is learned from. */
  readonly estimatedTokens: number;
  /** All of the input was there to be counted. */
  readonly isWhole: boolean;
  /** With what was learned of how this upstream counts. */
  readonly inputTokens: number;
  readonly predictedOutputTokens: number;
  readonly cost: Cost;
  /** What its tokens cost; null: not known. */
  readonly price: Price | null;
  /** Of the estimated input and the predicted output, in nano-dollars; null: not known. */
  readonly predictedNanoUsd: number | null;
}

export interface SizedRequest {
  readonly body: RequestBody;
  readonly model: ServedModel;
  readonly door: Pick<Door, 'operation' | 'body' | 'measure' | 'generates' | 'input' | 'isFree'>;
  /** The client's configured name: outputs are predicted by it. */
  readonly client: string;
}

type SizeServices = Pick<RequestServices, 'tokens' | 'calibration' | 'outputs'>;

/** Upstreams that refund and say what remains correct our books, so a margin costs nothing; without one each miss is a 429. */
const MARGIN_WITH_HEADERS = 1.1;
/** The others are trusted a little once enough answers have taught how they count. */
const MARGIN_LEARNED = 1.05;
/** Where nothing comes back, a margin is lost for good: it covers what is left of the error of a sum of many requests. */
const MARGIN_KEPT = 1.01;
const ENOUGH_ANSWERS = 50;

/**
 * Sizes a request for every target of its model; null: that target cannot serve it. Mostly at once; a promise when the
 * text has to be counted elsewhere.
 * @throws ProxyError `unsupported_value`, `context_length_exceeded`: no target is left, and that is certain
 */
export function sizeRequest(
  request: SizedRequest,
  services: SizeServices,
): readonly (TargetSize | null)[] | Promise<readonly (TargetSize | null)[]> {
  const { model, body, door } = request;
  const parsed = body.takeParsed();
  body.note(editedNames(model.targets.map(({ edits }) => edits)));
  const asked = askedOfEach(request, parsed);
  const able = ableTargets(model, door.operation, asked);
  const measured = door.measure(parsed);
  const facts = asked.map((each) => each.facts);
  // Caches are asked for by fields of the body (`cache_control`, `prompt_cache_key`).
  const mayBeCached = body.bytes.includes('cache');
  const sizing = { ...request, able, facts, mayBeCached, knownTokens: measured.knownTokens };
  const estimates = estimatesOf(sizing, measured.chat, services.tokens);
  return estimates instanceof Promise
    ? estimates.then((known) => sizesOf(sizing, known, services))
    : sizesOf(sizing, estimates, services);
}

/** The configuration may change fields that decide about a target, such as the cap on the output. */
function askedOfEach({ model, body, door }: SizedRequest, parsed: JsonObject): readonly Asked[] {
  const asItCame = { body: parsed, facts: body.facts };
  return model.targets.map(({ edits }) => {
    if (edits === null) return asItCame;
    const edited = editedBody(parsed, edits);
    return { body: edited, facts: door.body.facts(edited) };
  });
}

interface Sizing extends SizedRequest {
  /** By target. */
  readonly able: readonly boolean[];
  /** By target, with what the configuration changes. */
  readonly facts: readonly RequestFacts[];
  readonly knownTokens: number;
  /** The input may be known to the vendor already, and some let that pass for nothing. */
  readonly mayBeCached: boolean;
}

type Estimates = ReadonlyMap<string, TokenEstimate>;

/** By tokenizer: targets that share one share the count. */
function estimatesOf(
  { model, able }: Sizing,
  chat: unknown,
  tokens: SizeServices['tokens'],
): Estimates | Promise<Estimates> {
  const names = new Set(model.targets.filter((_target, index) => able[index]).map((target) => target.tokenizerModel));
  const known = new Map<string, TokenEstimate>();
  const pending: Promise<unknown>[] = [];
  for (const name of names) {
    const estimate = tokens.estimate(chat, name);
    if (estimate instanceof Promise) pending.push(estimate.then((counted) => known.set(name, counted)));
    else known.set(name, estimate);
  }
  return pending.length === 0 ? known : Promise.all(pending).then(() => known);
}

function sizesOf(request: Sizing, estimates: Estimates, services: SizeServices): readonly (TargetSize | null)[] {
  const { model, able, knownTokens, mayBeCached } = request;
  let isTooLong = true;
  const sizes = model.targets.map((target, index) => {
    const counted = estimates.get(target.tokenizerModel);
    const facts = request.facts[index];
    if (!(counted && facts && able[index])) return null;
    const estimate = withKnown(counted, knownTokens);
    const correction = services.calibration.correction(target.providerName, target.model);
    const atLeastTokens = surely(estimate, correction);
    if (exceedsContext(target, facts, atLeastTokens)) return null;
    isTooLong = false;
    const predictedOutputTokens = predictOutput({ ...request, facts }, target, services);
    const price = request.door.isFree ? FREE : target.price;
    return sizeOf(target, facts, { estimate, correction, atLeastTokens, predictedOutputTokens, mayBeCached, price });
  });
  if (isTooLong) throw tooLong(request);
  return sizes;
}

/** The sure lower bound. An upstream that counts less than we do has taught us so. */
function surely({ atLeastTokens, inputTokens }: TokenEstimate, { factor }: Correction): number {
  return Math.floor(Math.min(atLeastTokens, inputTokens) * Math.min(1, factor));
}

/** Only the sure part of the prompt and the client's own cap count: within the error of an estimate the upstream decides. */
function exceedsContext(target: ServedTarget, { outputCapTokens, n }: RequestFacts, atLeastTokens: number): boolean {
  if (target.contextLengthTokens === null) return false;
  return atLeastTokens + (outputCapTokens ?? 0) / n > target.contextLengthTokens;
}

function withKnown({ inputTokens, atLeastTokens }: TokenEstimate, knownTokens: number): TokenEstimate {
  return { inputTokens: inputTokens + knownTokens, atLeastTokens: atLeastTokens + knownTokens };
}

function predictOutput(
  { model, client, door, facts: { outputCapTokens, n } }: Omit<SizedRequest, 'body'> & { readonly facts: RequestFacts },
  target: ServedTarget,
  services: SizeServices,
): number {
  if (!door.generates) return 0;
  const { meanTokens } = services.outputs.predict({ model: model.name, client, capTokens: outputCapTokens });
  return Math.ceil(Math.min(meanTokens, (target.maxOutputTokens ?? Number.POSITIVE_INFINITY) * n));
}

interface Figures {
  readonly estimate: TokenEstimate;
  readonly correction: Correction;
  readonly atLeastTokens: number;
  readonly predictedOutputTokens: number;
  readonly mayBeCached: boolean;
  readonly price: Price | null;
}

function sizeOf({ provider }: ServedTarget, facts: RequestFacts, figures: Figures): TargetSize {
  const { outputCapTokens, hasUnseenInput = false } = facts;
  const { estimate, correction, predictedOutputTokens, price } = figures;
  const inputTokens = Math.ceil(estimate.inputTokens * correction.factor);
  const size = { outputCapTokens, predictedOutputTokens } as const;
  const reservedInput = Math.ceil(inputTokens * marginOf(provider, correction));
  const reserved = provider.reservedCharge({ ...size, inputTokens: reservedInput });
  const usage = {
    inputTokens,
    cachedInputTokens: 0,
    outputTokens: predictedOutputTokens,
    reasoningTokens: 0,
  };
  return {
    estimatedTokens: estimate.inputTokens,
    isWhole: !hasUnseenInput,
    inputTokens,
    predictedOutputTokens,
    cost: {
      reserved,
      expected: provider.settledCharge(usage, reserved),
      certain: certainCharge(provider, facts, figures),
    },
    price,
    predictedNanoUsd: price && nanoUsdFor(usage, price),
  };
}

/** What the vendor takes in any case. Input from its cache may be free. */
function certainCharge(provider: Provider, { outputCapTokens }: RequestFacts, figures: Figures): Charge {
  const { atLeastTokens: inputTokens, mayBeCached } = figures;
  const certain = provider.reservedCharge({ inputTokens, outputCapTokens, predictedOutputTokens: 0 });
  if (!mayBeCached) return certain;
  const usage = { inputTokens, outputTokens: 0, reasoningTokens: 0 };
  const uncached = provider.settledCharge({ ...usage, cachedInputTokens: 0 }, certain);
  const cached = provider.settledCharge({ ...usage, cachedInputTokens: inputTokens }, certain);
  const freeTokens = uncached[2] - cached[2];
  return [certain[0], certain[1] - freeTokens, certain[2] - freeTokens, certain[3], certain[4]];
}

function marginOf(provider: Provider, { answers }: Correction): number {
  const isRefunded = refunds(provider);
  if (isRefunded && provider.limits.hasHeaders) return MARGIN_WITH_HEADERS;
  if (answers < ENOUGH_ANSWERS) return 1;
  return isRefunded ? MARGIN_LEARNED : MARGIN_KEPT;
}

/** Whether what was booked too much comes back in the end. */
function refunds(provider: Provider): boolean {
  return provider.settledCharge(NOTHING_USED, chargeOf(1, 1))[1] === 0;
}

const NOTHING_USED = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };

function tooLong({ model, able, body, door }: Sizing): ProxyError {
  const targets = model.targets.filter((_target, index) => able[index]);
  const longest = Math.max(...targets.map(({ contextLengthTokens }) => contextLengthTokens ?? 0));
  const asked = body.facts.outputCapTokens ? `your ${door.input} and the output you allow` : `your ${door.input} alone`;
  return new ProxyError(
    'context_length_exceeded',
    `This model's maximum context length is ${longest} tokens. However, ${asked} would take more. Please shorten them.`,
    { param: door.input },
  );
}
