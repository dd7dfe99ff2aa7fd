namespace PsyLite.Training.Data.Mix;

/// <summary>Hashes that are the same on every machine and in every run, unlike <c>string.GetHashCode</c>.</summary>
internal static class Hashing
{
    private const ulong Odd = 0x9e3779b97f4a7c15;

    /// <summary>SplitMix64's finaliser (Steele, Lea and Flood 2014).</summary>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    public static ulong Of(ReadOnlySpan<char> text, ulong seed = 0)
    {
        var hash = Mix(seed + Odd);
        foreach (var c in text)
        {
            hash = (hash ^ c) * 0x100000001b3;
        }

        return Mix(hash ^ ((ulong)text.Length * Odd));
    }

    /// <summary>Hashes of all windows of <paramref name="length"/> characters, by a rolling polynomial; one of the whole text when it is shorter.</summary>
    public static void Windows(ReadOnlySpan<char> text, int length, List<ulong> into)
    {
        if (text.Length <= length)
        {
            into.Add(Of(text));
            return;
        }

        const ulong radix = 0x5851f42d4c957f2d;
        var (hash, highest) = (0UL, 1UL);
        for (var i = 0; i < length; i++)
        {
            hash = (hash * radix) + text[i] + 1UL;
            highest *= i == 0 ? 1 : radix;
        }

        into.Add(Mix(hash));
        for (var i = length; i < text.Length; i++)
        {
            hash = ((hash - ((text[i - length] + 1UL) * highest)) * radix) + text[i] + 1UL;
            into.Add(Mix(hash));
        }
    }
}
