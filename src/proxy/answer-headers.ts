import { safeAnswerHeaders } from '../upstream/hop-by-hop.ts';
import type { UpstreamHeaders } from '../upstream/transport.ts';
import type { RequestRecord } from './request-record.ts';
import type { RequestServices } from './request-services.ts';
import type { ServedModel } from './served-model.ts';

/** Visible ASCII: a name from the configuration that is more than that would make the head invalid. */
const IS_PRINTABLE = /^[\x20-\x7e]*$/;

/** What the head of an answer says beside its kind; `upstream` is null where no upstream has answered. */
export function answerHeaders(
  services: Pick<RequestServices, 'settings' | 'rateHeaders'>,
  told: { readonly model: ServedModel | null; readonly record: RequestRecord },
  upstream: UpstreamHeaders | null,
): Readonly<Record<string, string>> {
  return {
    ...(upstream ? safeAnswerHeaders(upstream) : {}),
    ...(told.model ? services.rateHeaders(told.model) : {}),
    ...droppedHeader(told.record),
    ...(services.settings.hasDebugHeaders ? debugHeaders(told.record) : {}),
  };
}

/** The names are the client's own: what looks like no field, or comes after many, would only make the head a burden. */
function droppedHeader({ dropped }: RequestRecord): Record<string, string> {
  const shown = dropped.filter((name) => IS_FIELD.test(name)).slice(0, MOST_DROPPED);
  if (dropped.length === 0) return {};
  const others = dropped.length - shown.length;
  return { 'x-sluice-dropped': [...shown, ...(others > 0 ? [`${others} more`] : [])].join(', ') };
}

const IS_FIELD = /^[\w.[\]-]{1,64}$/;
const MOST_DROPPED = 32;

function debugHeaders({ step, attempts, queueMs }: RequestRecord): Record<string, string> {
  const headers: Record<string, string> = {
    'x-sluice-attempts': String(attempts),
    'x-sluice-queue-ms': String(Math.round(queueMs)),
  };
  if (step) {
    addPrintable(headers, 'x-sluice-provider', step.target.providerName);
    addPrintable(headers, 'x-sluice-model', step.target.model);
    addPrintable(headers, 'x-sluice-key', step.endpoint.keyName);
  }
  return headers;
}

function addPrintable(headers: Record<string, string>, name: string, value: string | null): void {
  if (value !== null && IS_PRINTABLE.test(value)) headers[name] = value;
}
