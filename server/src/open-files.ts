/** What the process needs open beside connections: the database, nodes, logs, pages. */
const ownFiles = 512

/** How many files and sockets this process may have open; null where the system does not say. */
function openFilesMax(): number | null {
  if (process.report === undefined) return null
  // Without it every open connection is looked up by name. Node's types do not know it yet.
  Object.assign(process.report, { excludeNetwork: true })
  // The report is documented as JSON: https://nodejs.org/api/report.html
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | 'unlimited' } }
  }
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : null
}

/** As many connections as are wanted, or as the system leaves room for. */
export function connectionsThatFit(wanted: number): number {
  const most = openFilesMax()
  return most === null ? wanted : Math.max(10, Math.min(wanted, most - ownFiles))
}
