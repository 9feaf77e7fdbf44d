/** Whether a range of `engines` allows a release of Node. */
export function allowsNode(range: string, major: number, minor: number): boolean;
