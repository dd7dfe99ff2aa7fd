using System.Diagnostics;

namespace PsyLite.Tests;

/// <summary>What a kill at this moment would leave, without the kill.</summary>
internal static class StoppedProcess
{
    /// <summary>Copies the files whose names begin with that of <paramref name="path"/> while no thread of the process runs; locks are not data.</summary>
    /// <returns>The copy of <paramref name="path"/>.</returns>
    public static async Task<string> CopyFilesAsync(Process process, string path, string target)
    {
        await SignalAsync(process, "-STOP");
        while (!Directory.GetDirectories($"/proc/{process.Id}/task").All(t => File.ReadAllText(t + "/stat").Split(") ")[^1][0] == 'T'))
        {
            await Task.Yield();
        }

        Directory.CreateDirectory(target);
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(path)!, Path.GetFileName(path) + "*").Where(f => !f.EndsWith(".lock", StringComparison.Ordinal)))
        {
            await using var from = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            await using var to = File.Create(Path.Combine(target, Path.GetFileName(file)));
            await from.CopyToAsync(to);
        }

        await SignalAsync(process, "-CONT");
        return Path.Combine(target, Path.GetFileName(path));
    }

    private static async Task SignalAsync(Process process, string signal)
    {
        using var kill = Process.Start("kill", [signal, $"{process.Id}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }
}
