using System.Text;
using System.Text.RegularExpressions;
using PsyLite.Agent.Humour;

namespace PsyLite.Server;

/// <summary>
/// How a crosstalk piece travels in plain text interfaces: a folded block under the reply, which the reader opens or not. Clients
/// send it back as history; the turn then leaves folds out of what the model reads.
/// </summary>
internal static partial class CrosstalkFold
{
    public static string Render(CrosstalkPiece piece)
    {
        var text = new StringBuilder("\n\n<details>\n<summary>🎭 想听一段相声吗？《").Append(piece.Title).Append("》</summary>\n\n");
        foreach (var line in piece.Lines)
        {
            text.Append(line).Append("  \n");
        }

        return text.Append("\n</details>").ToString();
    }

    /// <summary>Titles of the pieces that an earlier reply carried.</summary>
    public static IEnumerable<string> Titles(string reply) => Block().Matches(reply).Select(m => m.Groups[1].Value);

    [GeneratedRegex(@"<details>\s*<summary>🎭[^<《]*《([^<》]*)》</summary>")]
    private static partial Regex Block();
}
