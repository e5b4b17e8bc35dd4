import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateProto } from './generate-proto.ts';
import { generatedDocuments } from './generated-documents.ts';
import { currentDatabaseDocument, databaseDocumentPath } from './migrations.ts';
import { root } from './paths.ts';

/** `npm run generate`: everything in the repository that is made from something else in it. */
export const generate = async (): Promise<number> => {
  await generateProto(join(root, 'proto'));
  process.stdout.write('proto/gen\n');
  for (const [path, content] of Object.entries({
    ...(await generatedDocuments()),
    [databaseDocumentPath]: await currentDatabaseDocument(),
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    process.stdout.write(`${path}\n`);
  }
  return 0;
};
