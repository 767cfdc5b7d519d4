/** Whoever takes turns: a client within its class, a class within its pool. */
export interface FairMember {
  /** A larger one gets more. */
  readonly weight: number;
  /** Virtual time at which what it was served so far would end: whoever's is lowest is next. */
  finish: number;
}

/**
 * Start-time fair queueing: everybody is served in proportion to their weight while they want more than that, and what
 * somebody does not want is for the others. Virtual time goes on by `amount / weight` for whoever is served, and the level's
 * own is that of whom was served last: a member that comes back begins there, so that nobody saves up for later.
 */
export class FairLevel {
  #time = 0;
  /** The time when the last period began. */
  #before = 0;
  /** The most that somebody was served at once, in virtual time: in the last period, and in this one. */
  #steps: readonly [last: number, current: number] = [0, 0];

  /** Virtual time of the level: where the one that was served last began. */
  get time(): number {
    return this.#time;
  }

  /**
   * Somebody begins to wait.
   * @param lowest where the others begin that wait for the same: the level may be further where another limit lets it
   */
  join(member: FairMember, lowest = Number.POSITIVE_INFINITY): void {
    member.finish = Math.max(member.finish, Math.min(this.#time, lowest));
  }

  served(member: FairMember, amount: number): void {
    const step = amount / member.weight;
    this.#time = Math.max(this.#time, member.finish);
    this.#steps = [this.#steps[0], Math.max(this.#steps[1], step)];
    member.finish += step;
  }

  /**
   * A period is over. Returns where a member begins at the earliest. Whoever waits for what can't serve anybody saves up for
   * that time, and would then have all turns elsewhere until it has caught up: what is older than a period is forgotten, but
   * never so much as turns of this size take by themselves.
   */
  lapse(): number {
    const earliest = Math.min(this.#before, this.#time - 2 * Math.max(...this.#steps));
    this.#before = this.#time;
    this.#steps = [this.#steps[1], 0];
    return earliest;
  }

  /**
   * What it was served came to so much more, or less. Where nobody waited for it, nobody lost a turn by what was thought, and
   * those who came since began at the level's time: then nothing comes back that would put it before that.
   */
  corrected(member: FairMember, amount: number, cameBeforeOthers: boolean): void {
    const finish = member.finish + amount / member.weight;
    member.finish = cameBeforeOthers ? finish : Math.max(finish, Math.min(member.finish, this.#time));
  }

  /** Brings a member of another level over, as far from this one's time as it was from that one's. */
  adopt(member: FairMember, from: FairLevel): void {
    member.finish += this.#time - from.time;
  }
}
