import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';

// Reads what is running, a line each time that changes. The input ends when this process does, however that happens:
// what the last line names is told to end then, and killed when it has not within ten seconds.
const script = `
while read -r line; do list=$line; done
for entry in $list; do kill -"\${entry%%:*}" "\${entry##*:}" 2>/dev/null; done
tries=0
while [ -n "$list" ] && [ "$tries" -lt 50 ]; do
  sleep 0.2
  left=
  for entry in $list; do kill -0 "\${entry##*:}" 2>/dev/null && left="$left $entry"; done
  list=$left
  tries=$((tries + 1))
done
for entry in $list; do kill -KILL "\${entry##*:}" 2>/dev/null; done
`;

const watched = new Map<number, NodeJS.Signals>();
let shell: ChildProcess | undefined;

const tell = () => {
  if (!shell) {
    shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: { PATH: process.env.PATH } });
    shell.on('error', () => undefined);
    shell.stdin?.on('error', () => undefined);
    // It must not keep alive what it waits for the end of.
    shell.unref();
    if (shell.stdin instanceof Socket) shell.stdin.unref();
  }
  const entries = [...watched].map(([pid, signal]) => `${signal.slice('SIG'.length)}:${pid}`);
  shell.stdin?.write(`${entries.join(' ')}\n`);
};

/** Has a process ended by a signal should this one die without doing so itself, by kill -9 for example. */
export const endWithUs = (pid: number, signal: NodeJS.Signals): void => {
  watched.set(pid, signal);
  tell();
};

/** To be called when the process has ended. */
export const hasEnded = (pid: number): void => {
  watched.delete(pid);
  tell();
};
