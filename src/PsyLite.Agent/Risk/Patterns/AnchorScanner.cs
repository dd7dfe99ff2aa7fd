namespace PsyLite.Agent.Risk.Patterns;

/// <summary>
/// Finds all occurrences of many words in one pass (Aho and Corasick, 1975). Immutable after construction and safe to share.
/// </summary>
internal sealed class AnchorScanner
{
    private readonly EdgeTable _edges;
    private readonly int[] _fail;
    private readonly int[][] _outputs;

    /// <summary>Words and, for each, the number reported when it is found.</summary>
    public AnchorScanner(IEnumerable<(string Word, int Number)> words)
    {
        var edges = new Dictionary<(int State, char C), int>();
        var outputs = new List<List<int>> { new() };
        var depth = new List<int> { 0 };
        foreach (var (word, number) in words)
        {
            var state = 0;
            foreach (var c in word)
            {
                if (!edges.TryGetValue((state, c), out var child))
                {
                    child = outputs.Count;
                    edges[(state, c)] = child;
                    outputs.Add([]);
                    depth.Add(depth[state] + 1);
                }

                state = child;
            }

            outputs[state].Add(number);
        }

        _edges = new EdgeTable(edges);
        _fail = new int[outputs.Count];
        foreach (var ((state, c), child) in edges.OrderBy(edge => depth[edge.Value]))
        {
            _fail[child] = state == 0 ? 0 : Next(_fail[state], c);
            outputs[child].AddRange(outputs[_fail[child]]);
        }

        _outputs = [.. outputs.Select(o => o.Distinct().ToArray())];
    }

    /// <summary>Adds every number whose word occurs, with the position just behind the occurrence.</summary>
    public void Scan(string text, List<(int Number, int End)> found)
    {
        var state = 0;
        for (var i = 0; i < text.Length; i++)
        {
            state = Next(state, text[i]);
            foreach (var number in _outputs[state])
            {
                found.Add((number, i + 1));
            }
        }
    }

    private int Next(int state, char c)
    {
        while (state != 0)
        {
            if (_edges.From(state, c) is not 0 and var child)
            {
                return child;
            }

            state = _fail[state];
        }

        return _edges.FromRoot(c);
    }
}
