// Without its configuration each process refuses to start, but it has been loaded whole by then, and Node keeps what it
// compiled. Static imports: all six are loaded before the first one ends this process.
import '../../services/identity/main.ts';
import '../../services/requests/main.ts';
import '../../services/approvals/main.ts';
import '../../services/provisioner/main.ts';
import '../../services/audit/main.ts';
import '../../gateway/main.ts';
