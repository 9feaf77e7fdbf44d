/** The temporary table that data is staged in, on either server. */
export const STAGING = 'sluice_staging';
