using System.Xml.Linq;

namespace PsyLite.Tests;

/// <summary>The house stays a one-way street: each project references only what the plan allows.</summary>
public sealed class ReferenceGraphTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["PsyLite.Models"] = [],
        ["PsyLite.Training"] = ["PsyLite.Models"],
        ["PsyLite.Engine"] = ["PsyLite.Models"],
        ["PsyLite.Agent"] = [],
        ["PsyLite.Evaluation"] = ["PsyLite.Agent"],
        ["PsyLite"] = ["PsyLite.Models", "PsyLite.Training", "PsyLite.Engine", "PsyLite.Agent", "PsyLite.Evaluation"],
    };

    public static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "PsyLite.slnx")))
            {
                folder = folder.Parent ?? throw new DirectoryNotFoundException("PsyLite.slnx was not found above the test binaries.");
            }

            return folder.FullName;
        }
    }

    [Fact]
    public void Projects_reference_only_what_the_plan_allows()
    {
        var projects = Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories);
        Assert.True(projects.Length >= 5, $"found {projects.Length} projects");
        foreach (var path in projects)
        {
            var name = Path.GetFileNameWithoutExtension(path);
            var references = XDocument.Load(path).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!));
            Assert.Empty(references.Except(Allowed[name]));
        }
    }

    [Fact]
    public void Native_calls_and_unsafe_code_stay_in_their_folders()
    {
        var sources = Directory.GetFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(p => (Path: p[(Root.Length + 1)..].Replace('\\', '/'), Text: File.ReadAllText(p))).ToList();
        Assert.NotEmpty(sources);
        Assert.Empty(sources.Where(s => (s.Text.Contains("[LibraryImport") || s.Text.Contains("[DllImport"))
            && !s.Path.StartsWith("src/PsyLite.Engine/Native/", StringComparison.Ordinal)).Select(s => s.Path));
        Assert.Empty(sources.Where(s => System.Text.RegularExpressions.Regex.IsMatch(s.Text, @"^\s*(public |internal |private |static |sealed )*unsafe\b|\bunsafe\s*\{", System.Text.RegularExpressions.RegexOptions.Multiline)
            && !s.Path.StartsWith("src/PsyLite.Engine/Native/", StringComparison.Ordinal)
            && !s.Path.StartsWith("src/PsyLite.Training/Kernels/", StringComparison.Ordinal)).Select(s => s.Path));
    }

    [Fact]
    public void The_agent_knows_no_engine_and_no_web_server()
    {
        var text = string.Join('\n', Directory.GetFiles(Path.Combine(Root, "src/PsyLite.Agent"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.DoesNotContain("Microsoft.AspNetCore", text);
        Assert.DoesNotContain("PsyLite.Engine", text);
        Assert.DoesNotContain("PsyLite.Training", text);
    }
}
