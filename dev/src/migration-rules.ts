// What the release before cannot run on: it reads and writes what is taken away here.
const breaking = [
  /^\s*drop\s+(table|view|function|sequence|schema)\b/i,
  /\bdrop\s+column\b/i,
  /\brename\s+(to|column)\b/i,
  /\balter\s+column\s+\S+\s+(type|set\s+data\s+type|set\s+not\s+null)\b/i,
  /\badd\s+column\s+(?!.*\b(default|generated)\b)[^,]*\bnot\s+null\b/i,
  /^\s*truncate\b/i,
];

// Says since which release nothing uses it: the contract step of expand, migrate, contract.
const contracted = /\/\*\s*contract: \d+\.\d+\.\d+\s*\*\//;

const functionIn = (statement: string, verb: string): string | undefined =>
  new RegExp(String.raw`^\s*${verb}\s+function\s+(?:if exists\s+)?(\w+)`, 'i').exec(statement)?.[1];

/** The statements of one migration that the release before would not survive, unless they say since when it does. */
export const breachesOfExpansion = (statements: readonly string[]): string[] => {
  const made = new Set(statements.map((statement) => functionIn(statement, 'create(?: or replace)?')));
  const isMadeAgain = (statement: string) => made.has(functionIn(statement, 'drop') ?? '-');
  return statements.filter(
    (statement) => breaking.some((pattern) => pattern.test(statement)) && !contracted.test(statement) && !isMadeAgain(statement),
  );
};
