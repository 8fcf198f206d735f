import { type Instruction, MAX_INSTRUCTIONS, opcode } from "./bpf.ts";

/** A place in the program: how many instructions come after it. */
export type Label = number;

/** Raised when a program outgrows what the kernel takes; the compiler turns it into a diagnostic. */
export class FilterTooLarge extends Error {}

/** A conditional jump reaches 255 instructions; some room is left for what may be put between. */
const REACH = 250;

/**
 * Builds a filter from its end to its start. BPF jumps only forward, so that every target exists before the jump to it,
 * and a target that is too far gets a stepping stone right where it is needed.
 */
export class Assembler {
  readonly #reversed: Instruction[] = [];
  /** The nearest copy of each return, by value, and the nearest stepping stone to each label. */
  readonly #returns = new Map<number, Label>();
  readonly #stones = new Map<Label, Label>();

  /** Ends the filter with this value. */
  return(k: number): Label {
    const known = this.#returns.get(k);
    return known !== undefined && this.#near(known) ? known : this.#pushReturn(k);
  }

  /** Loads a word of the system call's data; goes on with what was emitted last. */
  load(offset: number): Label {
    return this.#push({ code: opcode.load, jumpTrue: 0, jumpFalse: 0, k: offset });
  }

  /** Masks the word that was loaded; goes on with what was emitted last. */
  and(mask: number): Label {
    return this.#push({ code: opcode.and, jumpTrue: 0, jumpFalse: 0, k: mask });
  }

  /** Compares the word that was loaded. */
  jump(code: number, k: number, whenTrue: Label, whenFalse: Label): Label {
    const yes = this.#reachable(whenTrue);
    const no = this.#reachable(whenFalse);
    return this.#push({ code, jumpTrue: this.#distance(yes), jumpFalse: this.#distance(no), k });
  }

  /** Makes what is emitted next go on at a label. */
  continueAt(label: Label): void {
    if (this.#distance(label) > 0) this.#pushGoto(label);
  }

  /** The program in the order in which the kernel runs it. */
  finish(): Instruction[] {
    return this.#reversed.toReversed();
  }

  #distance(label: Label): number {
    return this.#reversed.length - 1 - label;
  }

  #near(label: Label): boolean {
    return this.#distance(label) <= REACH;
  }

  /** This label, or one that is near and leads to the same end. */
  #reachable(label: Label): Label {
    if (this.#near(label)) return label;
    const target = this.#reversed[label];
    if (target?.code === opcode.return) return this.return(target.k);
    const stone = this.#stones.get(label);
    return stone !== undefined && this.#near(stone) ? stone : this.#pushGoto(label);
  }

  #pushReturn(k: number): Label {
    const label = this.#push({ code: opcode.return, jumpTrue: 0, jumpFalse: 0, k });
    this.#returns.set(k, label);
    return label;
  }

  #pushGoto(label: Label): Label {
    const stone = this.#push({ code: opcode.goto, jumpTrue: 0, jumpFalse: 0, k: this.#distance(label) });
    this.#stones.set(label, stone);
    return stone;
  }

  #push(instruction: Instruction): Label {
    if (this.#reversed.length >= MAX_INSTRUCTIONS) throw new FilterTooLarge();
    this.#reversed.push(instruction);
    return this.#reversed.length - 1;
  }
}
