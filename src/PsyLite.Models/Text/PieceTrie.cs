namespace PsyLite.Models.Text;

/// <summary>Finds the longest of a set of texts at the start of a span.</summary>
internal sealed class PieceTrie
{
    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<int> _idAt = [-1];

    internal PieceTrie(IEnumerable<(string Text, int Id)> pieces)
    {
        foreach (var (text, id) in pieces)
        {
            var node = 0;
            foreach (var c in text)
            {
                if (!_edges.TryGetValue((node, c), out var next))
                {
                    next = _idAt.Count;
                    _idAt.Add(-1);
                    _edges.Add((node, c), next);
                }

                node = next;
            }

            _idAt[node] = id;
        }
    }

    internal bool IsEmpty => _edges.Count == 0;

    internal IEnumerable<char> FirstCharacters => _edges.Keys.Where(e => e.Node == 0).Select(e => e.Next);

    /// <summary>Id and length in UTF-16 units of the longest match; (-1, 0) if nothing matches.</summary>
    internal (int Id, int Length) LongestPrefix(ReadOnlySpan<char> text)
    {
        var (id, length, node) = (-1, 0, 0);
        for (var i = 0; i < text.Length && _edges.TryGetValue((node, text[i]), out node); i++)
        {
            if (_idAt[node] >= 0)
            {
                (id, length) = (_idAt[node], i + 1);
            }
        }

        return (id, length);
    }
}
