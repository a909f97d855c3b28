// What writing outcomes has in common, whichever way they are written.

/** Counts in their chunks what CTE `settled` has. Rows are locked in order. */
export const chunkedCtes = (settled: string) => `chunks_locked as materialized (
    select c.chunk_no from chunks c where c.chunk_no in (select chunk_no from ${settled})
    order by c.chunk_no for no key update
  ), chunked as (
    update chunks c
    set settled = c.settled + n.settled,
        state = case when c.settled + n.settled >= c.size then 'done' else c.state end
    from (select chunk_no, count(*) as settled from ${settled} group by chunk_no) n
    join chunks_locked using (chunk_no)
    where c.chunk_no = n.chunk_no and c.state <> 'done'
  )`

/** Locks the counts of the messages in CTE `tally`, in order. */
export const countsLockedCte = `counts_locked as materialized (
    select message_no from message_counts where message_no in (select message_no from tally)
    order by message_no for no key update
  )`
