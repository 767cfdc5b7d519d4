/** LLM tokens booked in the last hour, in minutes, and in flight: what `least-usage` compares. */
export class UsageHistory {
  readonly #minutes = new Float64Array(MINUTES);
  #minute = 0;
  #sum = 0;

  add(tokens: number, now: number): void {
    this.#moveTo(now);
    const slot = this.#minute % MINUTES;
    this.#minutes[slot] = (this.#minutes[slot] as number) + tokens;
    this.#sum += tokens;
  }

  lastHour(now: number): number {
    this.#moveTo(now);
    return this.#sum;
  }

  #moveTo(now: number): void {
    const minute = Math.floor(now / 60_000);
    if (minute <= this.#minute) return;
    const passed = Math.min(minute - this.#minute, MINUTES);
    for (let i = 1; i <= passed; i += 1) {
      const slot = (this.#minute + i) % MINUTES;
      this.#sum -= this.#minutes[slot] as number;
      this.#minutes[slot] = 0;
    }
    this.#minute = minute;
  }
}

const MINUTES = 60;
