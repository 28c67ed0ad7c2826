/** The text of a page's markup, as a person reads it: without its head and its code. */
export const textOf = (html: string): string =>
  html
    .replace(/<(head|pre)[\s>][\s\S]*?<\/\1>/g, ' ')
    .replace(/<\/(p|li|h\d|dt|dd|div|a)>/g, ' ')
    .replace(/<[^>]+>/g, '')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replace(/\s+/g, ' ')
