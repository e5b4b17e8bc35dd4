/**
 * A search for many texts at once: which of them a file holds, as bytes. Each place is looked up by its first three bytes, so that the
 * number of texts hardly matters.
 */
export const findTexts = (texts: string[]): ((data: Buffer) => string[]) => {
  const starts = new Uint8Array(1 << 24);
  const byStart = new Map<number, Buffer[]>();
  for (const text of texts.filter(({ length }) => length > 3).map((known) => Buffer.from(known))) {
    const start = text.readUIntBE(0, 3);
    starts[start] = 1;
    byStart.set(start, [...(byStart.get(start) ?? []), text]);
  }
  return (data) => {
    const found = new Set<string>();
    let start = 0;
    for (let index = 0; index < data.length; index++) {
      start = ((start << 8) | (data[index] ?? 0)) & 0xffffff;
      if (starts[start] === 0) continue;
      const at = index - 2;
      for (const text of byStart.get(start) ?? []) {
        if (data.subarray(at, at + text.length).equals(text)) found.add(text.toString());
      }
    }
    return [...found];
  };
};
