/** The limit that stands in the way, with the numbers a caller can act on. */
export interface BindingLimit {
  readonly quota: string;
  readonly name: string;
  readonly unit: string;
  readonly windowMs: number;
  readonly capacity: number;
  /** What this request would take of it. */
  readonly asked: number;
}

/** Why a ticket gets no lease. Instants are durations from now, so that they survive being written down. */
export type Rejection =
  | { readonly kind: 'exceeds_limit'; readonly limit: BindingLimit }
  | { readonly kind: 'no_usable_route' }
  /** All routes rest after failures, or try with few requests whether they are over it; told to the impatient only. */
  | { readonly kind: 'out_of_service' }
  | { readonly kind: 'shutting_down' }
  | {
      readonly kind: 'queue_full' | 'wait_exceeded' | 'client_limit';
      /** When its turn would come; Infinity: nobody knows. */
      readonly predictedWaitMs: number;
      /** A repeat from here on succeeds; null beyond the horizon of promises, and where no place has been kept yet. */
      readonly retryAfterMs: number | null;
      /** For a request that might have gone elsewhere: keeps its place after all, and says in how many ms its turn comes. */
      readonly keepPlace?: (now: number) => number | null;
      readonly limit: BindingLimit | null;
      /** It has waited its whole time rather than being turned away at the door. */
      readonly hasWaited: boolean;
      /** Whatever could serve it rests, after failures or refusals of its upstream. */
      readonly isResting: boolean;
    };
