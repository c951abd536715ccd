/** A page of a list as requests name it: from 1, 50 rows when left out. */
export interface Page {
  page: number;
  perPage: number;
}

export function pageOf(request: Page): Page & { skip: number; take: number } {
  const page = request.page || 1;
  const perPage = request.perPage || 50;
  return { page, perPage, skip: (page - 1) * perPage, take: perPage };
}
