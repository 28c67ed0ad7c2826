/** Files that the process needs besides client connections: database, nodes, logs, pages. */
const ownFiles = 512

/**
 * How many files and sockets this process may have open; null if there is no limit or it is unknown.
 */
function openFilesMax(): number | null {
  if (process.report === undefined) return null
  // Otherwise the report resolves the name of every peer. Node's types lack this option.
  Object.assign(process.report, { excludeNetwork: true })
  // The report is documented as JSON: https://nodejs.org/api/report.html
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft?: number | 'unlimited' } }
  }
  const soft = userLimits?.open_files?.soft
  return typeof soft === 'number' ? soft : null
}

/**
 * The wanted number, reduced to fit the open files limit, but at least 10 so that the server can
 * answer at all.
 */
export function connectionsThatFit(wanted: number): number {
  const most = openFilesMax()
  return most === null ? wanted : Math.max(10, Math.min(wanted, most - ownFiles))
}
