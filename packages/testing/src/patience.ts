/**
 * How long tests give servers and services to answer: the machine may stand still for seconds, which is not what they are about. Whatever is
 * refused, or has broken, says so at once.
 */
export const patienceMs = 30_000;
