import type { PreparedCall, ProviderCall } from '../wire.ts';

/**
 * Where a method of a model is called: `/v1beta/models/gemini-2.5-flash:generateContent`. The key goes into a header, since
 * paths are written to logs. A model may be named with its collection: `tunedModels/mine`.
 */
export function addressOf(
  { basePath, model, apiKey }: Pick<ProviderCall, 'basePath' | 'model' | 'apiKey'>,
  method: string,
): Pick<PreparedCall, 'path' | 'headers'> {
  return {
    path: `${basePath}/${resourceOf(model).split('/').map(encodeURIComponent).join('/')}:${method}`,
    headers: keyHeader(apiKey),
  };
}

export function keyHeader(apiKey: string | null): Readonly<Record<string, string>> {
  return apiKey === null ? {} : { 'x-goog-api-key': apiKey };
}

/** A model's full name. */
export function resourceOf(model: string): string {
  return model.includes('/') ? model : `models/${model}`;
}
