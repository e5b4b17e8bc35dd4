import { watch } from 'node:fs';

const quietMs = 200;

/** Calls `changed` a moment after the last of several changes below a folder; answers what ends it. */
export const watchPolicies = (folder: string, changed: () => void): (() => void) => {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(folder, { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(changed, quietMs);
  });
  watcher.on('error', () => undefined);
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
};
