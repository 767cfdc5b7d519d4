import { type OpenAiOperation, PATHS } from '../openai-shaped/openai-shaped.ts';
import type { ProviderCall, Wire, Wires } from '../wire.ts';

/** Where a base URL ends so, the API has OpenAI's paths, and the body names the deployment. */
const V1_ROUTE = /\/openai\/v1$/;
const OPENAI_ROOT = /\/openai$/;

/** The last version that isn't a preview, and the first that has what the endpoint needs. */
const DEPLOYMENTS_VERSION = '2024-10-21';
const RESPONSES_VERSION = '2025-04-01-preview';

/** Both routes take OpenAI's bodies as they are. */
export const AZURE_WIRES: Wires = {
  chat: wireOf('chat'),
  completions: wireOf('completions'),
  embeddings: wireOf('embeddings'),
  responses: wireOf('responses'),
};

function wireOf(operation: OpenAiOperation): Wire {
  return {
    prepare: (call) => ({
      path: pathOf(operation, call),
      headers: keyHeader(call.apiKey),
      body: call.body,
    }),
  };
}

export function keyHeader(apiKey: string | null): Readonly<Record<string, string>> {
  return apiKey === null ? {} : { 'api-key': apiKey };
}

function pathOf(operation: OpenAiOperation, { basePath, model, apiVersion }: ProviderCall): string {
  const endpoint = PATHS[operation];
  if (V1_ROUTE.test(basePath)) return `${basePath}${endpoint}${apiVersion === null ? '' : query(apiVersion)}`;
  const root = `${basePath.replace(OPENAI_ROOT, '')}/openai`;
  if (operation === 'responses') return `${root}${endpoint}${query(apiVersion ?? RESPONSES_VERSION)}`;
  return `${root}/deployments/${encodeURIComponent(model)}${endpoint}${query(apiVersion ?? DEPLOYMENTS_VERSION)}`;
}

/** The list of what could be deployed: deployments themselves are told only to those who manage them. */
export function modelsPath(basePath: string, apiVersion: string | null): string {
  if (V1_ROUTE.test(basePath)) return `${basePath}/models${apiVersion === null ? '' : query(apiVersion)}`;
  return `${basePath.replace(OPENAI_ROOT, '')}/openai/models${query(apiVersion ?? DEPLOYMENTS_VERSION)}`;
}

function query(apiVersion: string): string {
  return `?api-version=${encodeURIComponent(apiVersion)}`;
}
