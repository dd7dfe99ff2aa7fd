using System.Text;
using System.Text.RegularExpressions;
using PsyLite.Agent.Humour;

namespace PsyLite.Server;

/// <summary>
/// How a crosstalk piece travels in plain text interfaces: a folded block under the reply, which the reader opens or not. The
/// block is taken out again when a client sends the reply back as history, so that no model ever reads it as its own words.
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

    public static string Strip(string reply) => Block().Replace(reply, "").TrimEnd();

    [GeneratedRegex(@"\s*<details>\s*<summary>🎭.*?</details>", RegexOptions.Singleline)]
    private static partial Regex Block();
}
