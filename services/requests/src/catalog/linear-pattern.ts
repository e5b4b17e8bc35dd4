/** A compiled pattern. */
export interface LinearPattern {
  /** Steps per character of the text, at most. */
  size: number;
  test(text: string): boolean;
}

interface State {
  /** Takes one character; a state without `takes` takes none. */
  takes?: (character: string) => boolean;
  /** Passed only there. */
  only?: 'start' | 'end';
  next: State[];
}

/** Puts its states in front of what follows. */
type Fragment = (next: State) => State;

const largest = { characters: 256, states: 600, repeats: 300 };

const oneCharacter = (source: string) => {
  const pattern = new RegExp(`^(?:${source})$`, 'u');
  return (character: string) => pattern.test(character);
};

/**
 * Compiles the part of ECMA-262 patterns that can be matched in linear time: no look-around, no back-references, no word
 * boundaries. Thompson's construction (1968): all ways through are followed at once, so that no text makes it slow,
 * as it does with the engine's own backtracking. Throws a SyntaxError for anything else and for patterns that are too large.
 */
export const linearPattern = (source: string): LinearPattern => {
  if (source.length > largest.characters) throw new SyntaxError(`a pattern may have at most ${largest.characters} characters`);
  let size = 0;
  let at = 0;

  const state = (made: State): State => {
    size += 1;
    if (size > largest.states) throw new SyntaxError('the pattern is too large');
    return made;
  };
  const taking =
    (takes: (character: string) => boolean): Fragment =>
    (next) =>
      state({ takes, next: [next] });
  const optional =
    (fragment: Fragment): Fragment =>
    (next) =>
      state({ next: [fragment(next), next] });
  const repeated =
    (fragment: Fragment): Fragment =>
    (next) => {
      const loop = state({ next: [next] });
      loop.next.push(fragment(loop));
      return loop;
    };
  const sequence =
    (fragments: Fragment[]): Fragment =>
    (next) =>
      fragments.reduceRight((following, fragment) => fragment(following), next);

  const taken = (expected: RegExp): string | undefined => {
    expected.lastIndex = at;
    const [found] = expected.exec(source) ?? [];
    if (found !== undefined) at += found.length;
    return found;
  };

  const times = (fragment: Fragment): Fragment => {
    const quantifier = taken(/(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})\??/y)?.replace(/(.)\?$/, '$1');
    if (!quantifier) return fragment;
    if (quantifier === '*') return repeated(fragment);
    if (quantifier === '+') return sequence([fragment, repeated(fragment)]);
    if (quantifier === '?') return optional(fragment);
    const [least = '0', most = least] = quantifier.slice(1, -1).split(',');
    const [from, to] = [Number(least), most === '' ? Number(least) : Number(most)];
    if (to < from || to > largest.repeats) throw new SyntaxError('the pattern repeats too often');
    const needed = Array.from({ length: from }, () => fragment);
    if (most === '') return sequence([...needed, repeated(fragment)]);
    return sequence([...needed, ...Array.from({ length: to - from }, () => optional(fragment))]);
  };

  const atom = (): Fragment => {
    if (taken(/\((?!\?)|\(\?:/y)) {
      const inner = alternatives();
      if (!taken(/\)/y)) throw new SyntaxError('a parenthesis is not closed');
      return times(inner);
    }
    if (taken(/\^/y)) return (next) => state({ only: 'start', next: [next] });
    if (taken(/\$/y)) return (next) => state({ only: 'end', next: [next] });
    const set = taken(/\[(?:[^\]\\]|\\.)*\]|\.|\\(?:[dDsSwWtnrvf0]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|u\{[\da-fA-F]+\}|[pP]\{[^}]*\})/uy);
    if (set) return times(taking(oneCharacter(set)));
    const literal = taken(/\\[\^$\\.*+?()[\]{}|/-]|[^\\^$.*+?()[\]{}|]/uy)?.replace(/^\\/, '');
    if (literal === undefined) throw new SyntaxError(`the pattern holds something that is not supported, at ${at}`);
    return times(taking((character) => character === literal));
  };

  const alternatives = (): Fragment => {
    const branches: Fragment[] = [];
    do {
      const fragments: Fragment[] = [];
      while (at < source.length && !/[|)]/.test(source[at] ?? '')) fragments.push(atom());
      branches.push(sequence(fragments));
    } while (taken(/\|/y));
    return branches.length === 1 && branches[0] ? branches[0] : (next) => state({ next: branches.map((branch) => branch(next)) });
  };

  const found: State = { next: [] };
  const whole = alternatives();
  if (at < source.length) throw new SyntaxError('a parenthesis was never opened');
  const first = whole(found);

  const enter = (states: Set<State>, entered: State, position: number, end: number): void => {
    if (states.has(entered)) return;
    if ((entered.only === 'start' && position > 0) || (entered.only === 'end' && position < end)) return;
    states.add(entered);
    if (!entered.takes) for (const next of entered.next) enter(states, next, position, end);
  };

  return {
    size,
    test: (text) => {
      const characters = [...text];
      let current = new Set<State>();
      for (let position = 0; ; position++) {
        enter(current, first, position, characters.length);
        if (current.has(found)) return true;
        const character = characters[position];
        if (character === undefined) return false;
        const following = new Set<State>();
        for (const { takes, next } of current) {
          if (takes?.(character)) for (const one of next) enter(following, one, position + 1, characters.length);
        }
        current = following;
      }
    },
  };
};
