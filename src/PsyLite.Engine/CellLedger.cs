namespace PsyLite.Engine;

/// <summary>
/// Counts the cells of a cache that all sequences share. llama.cpp does not tell how many are taken, and a cell that several
/// sequences hold must count once; so every cell has a number here and a count of holders.
/// </summary>
internal sealed class CellLedger
{
    private readonly int[] holders;
    private readonly Stack<int> free;

    public CellLedger(int capacity)
    {
        holders = new int[capacity];
        free = new Stack<int>(Enumerable.Range(0, capacity).Reverse());
    }

    public int Capacity => holders.Length;

    public int Free => free.Count;

    public int Used => Capacity - Free;

    /// <summary>Takes cells for new tokens at the end of a list.</summary>
    public void Take(List<int> cells, int count)
    {
        for (; count > 0; count--)
        {
            var cell = free.Pop();
            holders[cell] = 1;
            cells.Add(cell);
        }
    }

    /// <summary>Makes a second list hold the first cells of another.</summary>
    public void Share(List<int> source, List<int> target, int count)
    {
        for (var i = target.Count; i < count; i++)
        {
            holders[source[i]]++;
            target.Add(source[i]);
        }
    }

    /// <summary>Lets go of all but the first cells.</summary>
    public void Release(List<int> cells, int keep)
    {
        for (var i = keep; i < cells.Count; i++)
        {
            if (--holders[cells[i]] == 0)
            {
                free.Push(cells[i]);
            }
        }

        cells.RemoveRange(keep, cells.Count - keep);
    }

    /// <summary>Cells that only this list holds, from a position on.</summary>
    public int Own(List<int> cells, int from = 0)
    {
        var count = 0;
        for (var i = from; i < cells.Count; i++)
        {
            count += holders[cells[i]] == 1 ? 1 : 0;
        }

        return count;
    }
}
