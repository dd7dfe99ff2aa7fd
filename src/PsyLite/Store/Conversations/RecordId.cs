namespace PsyLite.Store.Conversations;

/// <summary>
/// Names of conversations and turns. A caller names its turn, so that trying again is the same turn. Names are stored in clear and may
/// therefore not be free text.
/// </summary>
internal static class RecordId
{
    private const int Longest = 64;

    public static string Create() => Guid.NewGuid().ToString("N");

    /// <exception cref="ArgumentException">It is empty, too long or holds anything but ASCII letters, digits, - and _.</exception>
    public static string Checked(string id) => id.Length is > 0 and <= Longest && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
        ? id
        : throw new ArgumentException($"a name of a conversation or turn is 1 to {Longest} ASCII letters, digits, - and _.", nameof(id));
}
