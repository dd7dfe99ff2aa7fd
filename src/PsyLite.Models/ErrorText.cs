namespace PsyLite.Models;

/// <summary>Names out of files as they may stand in an error message: one line, of bounded length.</summary>
internal static class ErrorText
{
    private const int MaxLength = 80;

    internal static string Quote(string name)
    {
        var shown = string.Concat(name.Take(MaxLength).Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c));
        return name.Length > MaxLength ? $"'{shown}…'" : $"'{shown}'";
    }
}
