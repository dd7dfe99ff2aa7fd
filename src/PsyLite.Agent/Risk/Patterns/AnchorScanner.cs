namespace PsyLite.Agent.Risk.Patterns;

/// <summary>
/// Finds all occurrences of many words in one pass (Aho and Corasick, 1975). Immutable after construction and safe to share.
/// </summary>
internal sealed class AnchorScanner
{
    private readonly Dictionary<long, int> _next = [];
    private readonly bool[] _starts = new bool[char.MaxValue + 1];
    private readonly List<int> _fail = [0];
    private readonly List<int[]> _outputs = [];

    /// <summary>Words and, for each, the numbers reported when it is found.</summary>
    public AnchorScanner(IEnumerable<(string Word, int Number)> words)
    {
        var outputs = new List<List<int>> { new() };
        var depth = new List<int> { 0 };
        foreach (var (word, number) in words)
        {
            var state = 0;
            foreach (var c in word)
            {
                var key = Key(state, c);
                if (!_next.TryGetValue(key, out var child))
                {
                    child = outputs.Count;
                    _next[key] = child;
                    outputs.Add([]);
                    depth.Add(depth[state] + 1);
                }

                state = child;
            }

            outputs[state].Add(number);
            _starts[word[0]] = true;
        }

        LinkFailures(outputs, depth);
        _outputs.AddRange(outputs.Select(o => o.Distinct().ToArray()));
    }

    /// <summary>Reports every number whose word occurs, with the position just behind the occurrence.</summary>
    public void Scan(string text, Action<int, int> found)
    {
        var state = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (state == 0 && !_starts[c])
            {
                continue;
            }

            int next;
            while (!_next.TryGetValue(Key(state, c), out next) && state != 0)
            {
                state = _fail[state];
            }

            state = next;
            foreach (var number in _outputs[state])
            {
                found(number, i + 1);
            }
        }
    }

    private static long Key(int state, char c) => ((long)state << 16) | c;

    private void LinkFailures(List<List<int>> outputs, List<int> depth)
    {
        _fail.AddRange(Enumerable.Repeat(0, outputs.Count - 1));
        foreach (var (key, child) in _next.OrderBy(edge => depth[edge.Value]))
        {
            var (parent, c) = ((int)(key >> 16), (char)(key & 0xFFFF));
            if (parent == 0)
            {
                continue;
            }

            var fall = _fail[parent];
            int target;
            while (!_next.TryGetValue(Key(fall, c), out target) && fall != 0)
            {
                fall = _fail[fall];
            }

            _fail[child] = target;
            outputs[child].AddRange(outputs[target]);
        }
    }
}
