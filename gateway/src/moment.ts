/** Whether a time has a year of four digits in UTC: others cannot be told to a service (protobuf) or kept. An offset can move a time out of them. */
export const isMoment = (time: Date): boolean => time.getUTCFullYear() >= 1 && time.getUTCFullYear() <= 9999;
