/** PEM files of a server: its certificate, the key of that, and the CAs whose certificates it takes. */
export interface ServerCertificate {
  cert: string;
  key: string;
  ca: string;
}
